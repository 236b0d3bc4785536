-- How many parcels under way are due on each day (of UTC), so that those that are overdue need not be counted one by one.
CREATE TABLE parcel_days (
	day INTEGER PRIMARY KEY,
	n INTEGER NOT NULL
) STRICT;
INSERT INTO parcel_days (day, n) SELECT due / 86400, count(*) FROM parcels WHERE state = 'shipped' GROUP BY 1;
CREATE TRIGGER parcels_day_begun AFTER INSERT ON parcels WHEN NEW.state = 'shipped' BEGIN
	INSERT INTO parcel_days (day, n) VALUES (NEW.due / 86400, 1) ON CONFLICT (day) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER parcels_day_moved AFTER UPDATE OF state, due ON parcels
WHEN OLD.state <> NEW.state OR (NEW.state = 'shipped' AND OLD.due / 86400 <> NEW.due / 86400) BEGIN
	UPDATE parcel_days SET n = n - 1 WHERE day = OLD.due / 86400 AND OLD.state = 'shipped';
	DELETE FROM parcel_days WHERE day = OLD.due / 86400 AND n = 0;
	INSERT INTO parcel_days (day, n) SELECT NEW.due / 86400, 1 WHERE NEW.state = 'shipped'
		ON CONFLICT (day) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER parcels_day_ended AFTER DELETE ON parcels WHEN OLD.state = 'shipped' BEGIN
	UPDATE parcel_days SET n = n - 1 WHERE day = OLD.due / 86400;
	DELETE FROM parcel_days WHERE day = OLD.due / 86400 AND n = 0;
END;
