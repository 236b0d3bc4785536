-- A request that moves writes only what its move changes: `waiting` when it comes to the officers or leaves them, the counts when its
-- state is another, and the sweep of materials hears of it when it has some.
DROP TRIGGER requests_moved;
CREATE TRIGGER requests_counted AFTER UPDATE OF state ON requests WHEN NEW.state <> OLD.state BEGIN
	UPDATE request_counts SET n = n - 1 WHERE state = OLD.state;
	INSERT INTO request_counts (state, n) VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER requests_moved AFTER UPDATE OF state, project, kind, way, cert, account, officers, made, dies ON requests
WHEN OLD.state IN ('awaiting_officers', 'opened', 'at_key_centre', 'to_make', 'keyed', 'to_ship')
	OR NEW.state IN ('awaiting_officers', 'opened', 'at_key_centre', 'to_make', 'keyed', 'to_ship') BEGIN
	DELETE FROM waiting WHERE request = NEW.id;
	INSERT INTO waiting SELECT * FROM waiting_rows WHERE request = NEW.id;
END;
DROP TRIGGER requests_ended;
CREATE TRIGGER requests_ended AFTER UPDATE OF state, result ON requests
WHEN EXISTS (SELECT 1 FROM materials WHERE kind = 'request' AND owner = NEW.id) BEGIN
	INSERT INTO material_closings (request) VALUES (NEW.id) ON CONFLICT DO NOTHING;
END;
