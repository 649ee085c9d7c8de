"""Recordings and the evidence for them: order, mux, seal, store, audit, verify.

From the top down, each knowing only what is below it: `process` starts it all; `live` makes recordings, `audit` serves
those who look at them; `spool` brings them to the store, `log` keeps one log of all their records, `bundle` hands them
over; `tape` turns packets into segments; `sealing` has the keys; `store` is where objects lie; `evidence` is what is
proved and verified, and pure. `control` is what signaling may say.
"""
