"""How fast the system is: everything measured in one run, beside the same broker and database."""
