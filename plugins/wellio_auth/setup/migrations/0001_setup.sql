-- Its one row says that the practice is set up; whoever inserts it makes the first owner.
CREATE TABLE auth_setup (
    id {int} PRIMARY KEY CHECK (id = 1),
    done_at {int} NOT NULL
) {strict};
