-- keys.db, which is no part of the database nor of its backups: docs/adr/0008.
-- Whose key it is stands there as a keyed hash: without the practice's root key it is nobody's.
CREATE TABLE wellio_person_key (
    person {text} PRIMARY KEY,
    sealed {bytes},                 -- the person's key under the master key; none once erased
    created_at {int} NOT NULL,
    erased_at {int},
    CHECK ((sealed IS NULL) = (erased_at IS NOT NULL))
){strict};

CREATE TABLE wellio_key_store (
    id {int} PRIMARY KEY CHECK (id = 1),
    name {text} NOT NULL            -- random; the database says which one it belongs to
){strict};
