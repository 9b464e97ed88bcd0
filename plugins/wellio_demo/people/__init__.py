"""People: who is in the demo practice (`cast`), and how they get their accounts (`part`)."""
