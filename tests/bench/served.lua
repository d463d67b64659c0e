-- Requests for wrk, each with its own token and proof: a line of the file is both, separated by a space.
-- Prints figures as JSON; with "once" it says `exhausted` after the last line, otherwise it starts over.
local file, once, host, read, over = nil, false, nil, 0, 0

function init(args)
  file = assert(io.open(args[1], "r"))
  host = args[2]
  once = args[3] == "once"
end

local function line()
  local text = file:read("*l")
  if text then
    read = read + 1
    return text
  end
  over = over + 1
  if once and over == 1 then
    io.write("exhausted\n")
    io.flush()
  end
  file:seek("set", 0)
  return file:read("*l")
end

function request()
  local token, proof = line():match("^(%S+) (%S+)$")
  return "GET /orders HTTP/1.1\r\nHost: " .. host .. "\r\nX-Forwarded-Proto: https\r\nAuthorization: DPoP " .. token .. "\r\nDPoP: " .. proof .. "\r\n\r\n"
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"median":%d,"p99":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
