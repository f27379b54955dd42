"""The demonstration: a national data set through every partner's own credential, checked against its answer key."""
