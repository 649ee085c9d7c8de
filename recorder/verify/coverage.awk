# Every millisecond of a stream is present or declared, once (GAP-1, COV, CLOSE-3): its segments and gaps are edges in
# order of time, and at the end one walks along them.
function edge(stream, at, step, fate,   i) {
  for (i = ++edges[stream]; i > 1 && when[stream, i - 1] > at; i--) {
    when[stream, i] = when[stream, i - 1]; steps[stream, i] = steps[stream, i - 1]
    fates[stream, i] = fates[stream, i - 1]
  }
  when[stream, i] = at; steps[stream, i] = step; fates[stream, i] = fate
}
function span(fate) { edge(stream, from, 1, fate); edge(stream, to, -1, fate) }

# TOLD is the stream's account in `close`; "" where the recording goes on.
function settle(stream, told,   first_ms, last_ms, i, d, inside, kept, lost, cause, sum, names, k, whole) {
  first_ms = get(told, "first_ms") + 0; last_ms = get(told, "last_ms") + 0
  if (closed) { edge(stream, first_ms, 1, "span"); edge(stream, last_ms, -1, "span") }
  for (i = 1; i <= edges[stream]; i++) {
    d = i > 1 ? when[stream, i] - when[stream, i - 1] : 0
    if (d && lost > 1) at_the_end("account", "GAP-1")
    if (d && closed && (kept + lost > 0) != (inside > 0)) at_the_end("incomplete", "COV-1")
    if (d && kept + lost) sum[lost ? cause : "present"] += d # where a gap is declared within a segment, the gap counts
    if (fates[stream, i] == "span") inside += steps[stream, i]
    else if (fates[stream, i] == "present") kept += steps[stream, i]
    else { lost += steps[stream, i]; if (steps[stream, i] > 0) cause = fates[stream, i] }
  }
  if (!closed) return
  if (get(told, "parts") + 0 != parts[stream] + 0 || get(told, "segments") + 0 != segments[stream] + 0 ||
    get(told, "bytes") + 0 != bytes[stream] + 0 || get(told, "last") != (segments[stream] ? last[stream] : "null"))
    at_the_end("account", "CLOSE-3")
  k = split("network off present recorder withdrawn worker", names, " ")
  for (i = 1; i <= k; i++) {
    whole += sum[names[i]]
    if (get(told, names[i]) + 0 != sum[names[i]] + 0) at_the_end("incomplete", "COV-2")
  }
  if (whole != last_ms - first_ms) at_the_end("incomplete", "COV-2")
  if (!spans_as_it_should(stream, first_ms, last_ms, get(closed, "end_ms") + 0)) at_the_end("incomplete", "COV-3")
}
# A shared screen within the visit; a participant from the first `start` to the end.
function spans_as_it_should(stream, first_ms, last_ms, end_ms) {
  if (stream ~ /[.]/) return first_ms <= last_ms && last_ms <= end_ms
  return (stream in first) && first_ms == first[stream] && last_ms == end_ms
}
