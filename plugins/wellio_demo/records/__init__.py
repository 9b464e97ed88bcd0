"""Records: how clients fare (`stories`), and who writes it down (`part`)."""
