-- Answers to requests with an Idempotency-Key, for a day. Neither the key nor its sender is here,
-- and an answer opens only with both of them: a row says nothing about anybody.
CREATE TABLE wellio_idempotency (
    id {text} PRIMARY KEY,          -- made of the sender, the key and the master key
    claim {text} NOT NULL,          -- the attempt whose row it is
    request {text} NOT NULL,        -- keyed hash of the request: another one may not use the key
    answer {bytes},                 -- sealed; none while the attempt runs
    expires_at {int} NOT NULL       -- of the attempt's lease first, then of the answer
){strict};
CREATE INDEX wellio_idempotency_expiry ON wellio_idempotency (expires_at);
