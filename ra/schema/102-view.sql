-- What an officer of a small project sees is found from that project's services, not judged row by row among everybody's.
CREATE INDEX services_project ON services(project);
