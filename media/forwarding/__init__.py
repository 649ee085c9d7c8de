"""Producer → consumer: what is received, repaired, rewritten and asked for. Pure: time and bytes come in."""
