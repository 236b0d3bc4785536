-- Figures of the day: what came in and what was decided, by time; the signer's refusals; and the responders' certificates, of which there are few.
CREATE INDEX history_days ON history(at, request, event, after) WHERE event IN ('submit', 'approve', 'decide', 'reject', 'correct');
CREATE INDEX history_refused ON history(at) WHERE event = 'refuse';
CREATE INDEX cert_bodies_responders ON cert_bodies(id) WHERE profile = 'responder';
