-- What the keys of MACs and hashes are derived from, sealed under the master key.
CREATE TABLE wellio_root_key (
    id {int} PRIMARY KEY CHECK (id = 1),
    sealed {bytes} NOT NULL,
    key_store {text}        -- which keys.db belongs to this database; none before its first use
){strict};
