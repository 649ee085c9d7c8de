# The certificate of the call sums up what the records say of each seat (CERT).

# What an event adds to it.
function happened(   detail, told, event) {
  told = body
  if (match(told, "^[{]\"detail\":" kind["detail"] ",")) {
    detail = substr(told, 11, RLENGTH - 11)
    told = "{" substr(told, RLENGTH + 1)
  }
  if (!index(told, "\"seat\":")) return
  event = get(told, "event"); seat = get(told, "seat")
  if (event == "quality") call[seat, "samples"]++
  if (event == "claimed") claimed[seat] = detail == "" ? "{}" : detail
  if (event == "frozen") {
    call[seat, "frozen"]++
    from = number(detail, "from_ms"); to = number(detail, "to_ms")
    if (from != "" && to != "" && to > from) call[seat, "frozen_ms"] += to - from
  }
}

function certified(   rest, leg, claims, seat, i, k, said, names, legs, seats, form_of_leg) {
  split("packets lost recovered frozen frozen_ms missing_ms parts samples", names, " ")
  for (seat in claimed) claims++
  form_of_leg = "^,?" kind["seat"] ":[{](\"claimed\":" kind["detail"] ",)?\"measured\":" kind["detail"] "[}]"
  for (rest = substr(body, 10); match(rest, form_of_leg); rest = substr(rest, RSTART + RLENGTH)) {
    leg = substr(rest, 1, RLENGTH)
    sub(/^,?"/, "", leg); seat = leg; sub(/".*/, "", seat)
    if (!(seat in came)) broken("CERT-1")
    legs[++seats] = seat; said[seat] = substr(leg, length(seat) + 3)
  }
  for (i = 1; i <= seats; i++) {
    seat = legs[i]; leg = said[seat]
    if (match(leg, "^[{]\"claimed\":" kind["detail"] ",")) {
      if (!(seat in claimed) || substr(leg, 12, RLENGTH - 12) != claimed[seat]) broken("CERT-2")
      leg = "{" substr(leg, RLENGTH + 1); claims--
    } else if (seat in claimed) broken("CERT-2")
    for (k in names) if (match(leg, "[{,]\"" names[k] "\":"))
      if (number(leg, names[k]) == "" || number(leg, names[k]) != call[seat, names[k]] + 0) broken("CERT-2")
  }
  if (claims) broken("CERT-2")
}
