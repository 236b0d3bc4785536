-- The identifier that the certificate's profile names: who else has it is asked before officers are.
ALTER TABLE cert_bodies ADD COLUMN identifier TEXT NOT NULL DEFAULT '';
CREATE INDEX cert_bodies_identifier ON cert_bodies(identifier) WHERE identifier <> '';
