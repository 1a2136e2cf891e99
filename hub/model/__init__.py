"""The rules of the domain: codes, lifecycle, deadlines, offices, calendar. Plain Python, no I/O."""
