-- wrk's requests: a POST of an Observation of 4 KiB, each different, so that no body is a repeat of another.
-- arguments behind "--": PATH and, if wanted, the name and value of one more header
local size = 4096
local thread_count = 0
local before = '{"resourceType":"Observation","id":"'
local middle = '","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},'
  .. '"subject":{"reference":"Patient/bench-'
local patients = 20000 -- of as many children, one day of each
local visit = '"},"effectiveDateTime":"2026-03-01T10:00:00Z",'
  .. '"valueQuantity":{"value":31.25,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"},'
  .. '"note":[{"text":"'
local after = '"}]}'

function setup(thread)
  thread_count = thread_count + 1
  thread:set("number", thread_count)
end

function init(args)
  path = args[1] or "/"
  wrk.headers["Content-Type"] = "application/fhir+json"
  if args[2] then wrk.headers[args[2]] = args[3] end
  math.randomseed(os.time() * 64 + number)
  prefix = string.format("%08x-%02d-", math.random(0, 0x7fffffff), number)
  count = 0
  filling = string.rep("x", size - #before - #middle - #after - #visit - #prefix - 15)
end

function request()
  count = count + 1
  return wrk.format("POST", path, nil, before .. prefix .. string.format("%010d", count) .. middle
    .. string.format("%05d", count % patients) .. visit .. filling .. after)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "failed": %d}\n', summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
