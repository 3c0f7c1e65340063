-- What scripts see, built once. Everything shared is reached through empty tables that cannot be
-- written, so that no script leaves anything behind for the next.
local host = ...
local raw_pcall, raw_xpcall, raw_rawset, raw_loadstring = pcall, xpcall, rawset, loadstring
local raw_setmetatable, raw_getmetatable, raw_error, raw_type = setmetatable, getmetatable, error, type
local raw_next, raw_pairs, raw_setfenv, raw_tostring = next, pairs, setfenv, tostring
local find, match, gmatch, gsub = string.find, string.match, string.gmatch, string.gsub

local protected = raw_setmetatable({}, { __mode = 'k' })
local contents = raw_setmetatable({}, { __mode = 'k' })

local function refuse()
  raw_error('Attempt to modify a readonly table', 2)
end

local function readonly(inner)
  local outer = raw_setmetatable({}, { __index = inner, __newindex = refuse, __metatable = false })
  protected[outer] = true
  contents[outer] = inner
  return outer
end

-- What `redis.call` raises is a table that the host has put aside.
local function raised(failure)
  if raw_type(failure) == 'userdata' then
    return host.raised() or failure
  end
  return failure
end

-- Once the time is over, no protected call may hold the error back.
local function checked(done, ...)
  if host.is_over() then
    raw_error('script timed out', 0)
  end
  if not done then
    return done, raised((...))
  end
  return done, ...
end

local base = {}
for _, name in raw_pairs({
  'assert', 'ipairs', 'rawequal', 'rawget', 'select', 'tonumber', 'tostring', 'type', 'unpack', 'error',
}) do
  base[name] = _G[name]
end
base._VERSION = _VERSION

function base.pcall(f, ...)
  return checked(raw_pcall(f, ...))
end

-- The handler runs after the failure has unwound: while one is raised by the host's watch, nothing
-- watches.
function base.xpcall(f, handler)
  local function handled(done, ...)
    if done then
      return true, ...
    end
    local _, result = base.pcall(handler, (...))
    return false, result
  end
  return handled(checked(raw_pcall(f)))
end

function base.next(table, key)
  return raw_next(contents[table] or table, key)
end

function base.pairs(table)
  return raw_pairs(contents[table] or table)
end

function base.rawset(table, key, value)
  if protected[table] then
    raw_error('Attempt to modify a readonly table', 2)
  end
  return raw_rawset(table, key, value)
end

function base.setmetatable(table, meta)
  if protected[table] then
    raw_error('Attempt to modify a readonly table', 2)
  end
  return raw_setmetatable(table, meta)
end

function base.getmetatable(value)
  if raw_type(value) == 'table' then
    return raw_getmetatable(value)
  end
  return nil
end

local globals = readonly(base)
raw_setmetatable(base, {
  __index = function(_, name)
    raw_error("Script attempted to access nonexistent global variable '" .. raw_tostring(name) .. "'", 2)
  end,
})
base._G = globals

function base.loadstring(text, name)
  if raw_type(text) ~= 'string' or text:sub(1, 1) == '\27' then
    return nil, 'only text can be loaded'
  end
  local loaded, why = raw_loadstring(text, name or '=(load)')
  if loaded then
    raw_setfenv(loaded, globals)
  end
  return loaded, why
end

local function patterns(f)
  return function(subject, pattern, ...)
    local why = host.check_pattern(subject, pattern)
    if why then
      raw_error(why, 2)
    end
    return f(subject, pattern, ...)
  end
end

local strings = {}
for name, f in raw_pairs(string) do
  strings[name] = f
end
strings.dump = nil
strings.find, strings.match = patterns(find), patterns(match)
strings.gmatch, strings.gsub = patterns(gmatch), patterns(gsub)
strings.gfind = nil
base.string = readonly(strings)
local text_meta = raw_getmetatable('')
text_meta.__index = base.string
text_meta.__metatable = false

local maths = {}
for name, f in raw_pairs(math) do
  maths[name] = f
end
maths.random, maths.randomseed = host.random, host.randomseed
base.math = readonly(maths)

local tables = {}
for name, f in raw_pairs(table) do
  tables[name] = f
end
base.table = readonly(tables)
base.bit = readonly(host.bit)

base.cjson = readonly(host.cjson)

local function unpacked(why, ...)
  if why then
    raw_error(why, 3)
  end
  return ...
end

base.cmsgpack = readonly({
  pack = function(...)
    local packed, why = host.cmsgpack.pack(...)
    if why then
      raw_error(why, 2)
    end
    return packed
  end,
  unpack = function(text)
    return unpacked(host.cmsgpack.unpack(text))
  end,
})

local redis = {}
for name, value in raw_pairs(host.redis) do
  redis[name] = value
end

base.redis = readonly(redis)

-- The place in the script is found while its frames are still there.
local function with_place(failure)
  failure = raised(failure)
  if raw_type(failure) ~= 'table' then
    failure = { err = 'ERR ' .. raw_tostring(failure) }
  end
  raw_rawset(failure, 'line', host.place())
  return failure
end

local function run(script)
  return raw_xpcall(script, with_place)
end

local function prepare(keys, arguments, call, protected_call)
  base.KEYS, base.ARGV = keys, arguments
  redis.call, redis.pcall = call, protected_call
end

return globals, run, prepare
