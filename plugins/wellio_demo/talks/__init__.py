"""What the people of the demo practice write to each other.

`texts/` has the sentences, `phrases` fills them in, `voices` makes exchanges of them, `rhythm` says
when people write and answer, `talks` and `groups` plan who writes what when, and `part` sends it.
"""
