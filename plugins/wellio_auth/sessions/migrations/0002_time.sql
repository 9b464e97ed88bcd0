-- Its one row is the latest instant by which proofs were made and judged, right to the minute: no
-- start judges by an earlier one, whatever the machine's clock says.
CREATE TABLE auth_time (
    id {int} PRIMARY KEY CHECK (id = 1),
    at {int} NOT NULL
) {strict};
