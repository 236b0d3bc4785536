-- Parcels in the order in which officers have them, so that a page of them is read where it stands: the open ones, the first due first,
-- then those that have ended, the last to end first. The place is a column that is written, not one that is computed: from an index over
-- such a one SQLite does not read, but goes to each row.
ALTER TABLE parcels ADD COLUMN project TEXT NOT NULL DEFAULT '';
ALTER TABLE parcels ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
UPDATE parcels SET project = (SELECT r.project FROM requests r WHERE r.id = parcels.request),
	place = CASE WHEN ended = 0 THEN due ELSE 4000000000000 - ended END;
CREATE TRIGGER parcels_added AFTER INSERT ON parcels BEGIN
	UPDATE parcels SET project = (SELECT r.project FROM requests r WHERE r.id = NEW.request),
		place = CASE WHEN NEW.ended = 0 THEN NEW.due ELSE 4000000000000 - NEW.ended END WHERE request = NEW.request;
END;
CREATE TRIGGER parcels_moved AFTER UPDATE OF due, ended ON parcels BEGIN
	UPDATE parcels SET place = CASE WHEN NEW.ended = 0 THEN NEW.due ELSE 4000000000000 - NEW.ended END WHERE request = NEW.request;
END;
CREATE TRIGGER parcels_followed AFTER UPDATE OF request ON parcels BEGIN
	UPDATE parcels SET project = (SELECT r.project FROM requests r WHERE r.id = NEW.request) WHERE request = NEW.request;
END;
CREATE TRIGGER parcels_projects AFTER UPDATE OF project ON requests WHEN NEW.project <> OLD.project BEGIN
	UPDATE parcels SET project = NEW.project WHERE request = NEW.id;
END;
CREATE INDEX parcels_place ON parcels(place, request);
CREATE INDEX parcels_state_place ON parcels(state, place, request);
CREATE INDEX parcels_project ON parcels(project, place, request);
CREATE INDEX parcels_project_state ON parcels(project, state, place, request);
