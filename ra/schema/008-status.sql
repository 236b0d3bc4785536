-- Certificates by the SHA-256 of their bytes: its first eight octets as a number. SQLite has no SHA-256, so the desk puts
-- those of older certificates when it opens (up to the id in heads).
CREATE TABLE cert_prints (
	print INTEGER NOT NULL,
	cert INTEGER NOT NULL REFERENCES certs(id),
	PRIMARY KEY (print, cert)
) STRICT, WITHOUT ROWID;
INSERT INTO heads (name, number) SELECT 'prints_missing', ifnull(max(id), 0) FROM certs;
