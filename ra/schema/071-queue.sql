-- What waits, whatever its day: the queue's numbers look at these few rows and at the days that are over, not at every day.
CREATE TABLE waiting_totals (
	project TEXT NOT NULL,
	kind TEXT NOT NULL,
	n INTEGER NOT NULL,
	PRIMARY KEY (project, kind)
) STRICT, WITHOUT ROWID;
INSERT INTO waiting_totals (project, kind, n) SELECT project, kind, sum(n) FROM waiting_counts GROUP BY project, kind;
CREATE TRIGGER waiting_counts_added AFTER INSERT ON waiting_counts BEGIN
	INSERT INTO waiting_totals (project, kind, n) VALUES (NEW.project, NEW.kind, NEW.n)
		ON CONFLICT (project, kind) DO UPDATE SET n = n + NEW.n;
END;
CREATE TRIGGER waiting_counts_moved AFTER UPDATE OF n ON waiting_counts BEGIN
	UPDATE waiting_totals SET n = n + NEW.n - OLD.n WHERE project = NEW.project AND kind = NEW.kind;
END;
CREATE TRIGGER waiting_counts_ended AFTER DELETE ON waiting_counts BEGIN
	UPDATE waiting_totals SET n = n - OLD.n WHERE project = OLD.project AND kind = OLD.kind;
END;
