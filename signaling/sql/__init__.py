"""What is kept in SQL, and nothing but that: tables, their history, and the stores behind `signaling.ports`."""
