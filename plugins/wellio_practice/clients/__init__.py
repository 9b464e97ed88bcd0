"""Client records: who they are, who looks after them, what they are tagged with."""
