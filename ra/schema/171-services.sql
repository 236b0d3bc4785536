-- The service of a certificate that ends last is asked for by each request that makes a certificate live longer: it is the last one in the index.
DROP INDEX services_cert;
CREATE INDEX services_cert ON services(cert, ends);
