"""Who may meet whom, and when: visits, waiting, consent, tokens, the Socket.IO gateway and the HTTP API.

From the top down, each knowing only what is below it: `app` puts everything together; `api` and `sockets` are the doors;
`live` runs visits, `staff` signs people in and decides what they may see, `recordings` and `outbound` serve auditors and tell
others, `photos` keeps what people send; `sql` keeps it all; `ports` says what is needed of these; `law` is the visit itself,
and pure.
"""
