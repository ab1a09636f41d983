-- The requests of one case, for wrk: wrk -s requests.lua URL -- CASE PATH PEOPLE SEED MARK CHATBOT CHATBOT
-- Prints one line of JSON when it is done.

local kind, path, people, mark, bots
local number = 0

function init(args)
  kind, path, people = args[1], args[2], tonumber(args[3])
  math.randomseed(tonumber(args[4]))
  mark, bots = args[5], { args[6], args[7] }
  wrk.headers["Content-Type"] = "application/json"
end

local function identifier()
  return string.format("person-%07d@example.org", math.random(people) - 1)
end

local function data()
  return string.format(
    '{"language":"en","time_zone":"Africa/Nairobi","visits":%d,"goals":["walk every day","sleep eight hours","read chapter %d"],'
      .. '"last_session":{"topic":"lesson %d","score":%d.25,"is_done":true},'
      .. '"notes":"Prefers short messages in the morning; asked twice about the clinic."}',
    number, number % 41, number % 53, number % 100
  )
end

local function schedule(name)
  return string.format(
    '{"id":"%s","name":"%s","prompt":"Ask how the week went, and whether the exercises of the last lesson were of any use.",'
      .. '"date":"2031-%02d-%02dT%02d:%02d:%02dZ"}',
    name, name, math.random(12), math.random(28), math.random(24) - 1, math.random(60) - 1, math.random(60) - 1
  )
end

local function entry(bot)
  return string.format(
    '{"experiment":"%s","data":%s,"schedules":[%s,%s]}', bot, data(), schedule("check-in"), schedule("reminder")
  )
end

function request()
  number = number + 1
  if kind == "get" then
    return wrk.format("GET", path)
  elseif kind == "find" then
    return wrk.format("GET", path .. "?identifier=" .. identifier())
  elseif kind == "change" then
    return wrk.format("POST", path, nil, string.format(
      '{"identifier":"%s","data":[%s,%s]}', identifier(), entry(bots[1]), entry(bots[2])
    ))
  else
    return wrk.format("POST", path, nil, string.format(
      '{"identifier":"new-%s-%d@example.org","name":"Person %d","data":[{"experiment":"%s","data":%s}]}',
      mark, number, number, bots[1], data()
    ))
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
