"""Who may meet whom, and when: visits, waiting, consent, tokens, the Socket.IO gateway and the HTTP API."""
