-- Builds the world that a script sees: what is here runs once for each Lua state.
-- Tables that scripts must not change are empty proxies: their contents are found by `__index`.
local native = ...
local error, tostring, type, next = error, tostring, type, next
local raw_pcall, raw_xpcall, raw_set, raw_get = pcall, xpcall, rawset, rawget
local set_meta, get_meta, load_text = setmetatable, getmetatable, loadstring
local create, resume, repeated = coroutine.create, coroutine.resume, string.rep
local count_kilobytes, concat = collectgarbage, table.concat
local caught = native.caught
local READ_ONLY = 'Attempt to modify a readonly table'

local contents = {}
local proxies = {}

local function refuse()
  error(READ_ONLY, 2)
end

local function protect(real)
  local proxy = {}
  contents[proxy] = real
  proxies[#proxies + 1] = proxy
  local shown = {}
  contents[shown] = shown
  proxies[#proxies + 1] = shown
  set_meta(shown, { __newindex = refuse, __metatable = false })
  return set_meta(proxy, { __index = real, __newindex = refuse, __metatable = shown })
end

local function settle(ok, ...)
  if ok then return true, ... end
  return false, (caught((...)))
end

local function settle_pcall(ok, ...)
  if ok then return true, ... end
  local failure = caught((...))
  if type(failure) == 'table' then
    local text = raw_get(failure, 'err')
    if type(text) == 'string' then failure = text end
  end
  return false, failure
end

local function settle_wrap(ok, ...)
  if ok then return ... end
  error(caught((...)), 0)
end

local base = {}
for _, name in next, { '_VERSION', 'assert', 'error', 'gcinfo', 'ipairs', 'next', 'pairs', 'rawequal',
  'select', 'tonumber', 'tostring', 'type', 'unpack' } do
  base[name] = raw_get(_G, name)
end

function base.pcall(f, ...)
  return settle_pcall(raw_pcall(f, ...))
end

function base.xpcall(f, handler)
  return settle(raw_xpcall(f, function(failure) return handler(caught(failure)) end))
end

function base.rawset(t, k, v)
  if contents[t] then error(READ_ONLY, 0) end
  return raw_set(t, k, v)
end

function base.rawget(t, k)
  return raw_get(contents[t] or t, k)
end

function base.setmetatable(t, meta)
  if contents[t] then error(READ_ONLY, 0) end
  return set_meta(t, meta)
end

base.getmetatable = get_meta

function base.collectgarbage(what)
  if what == 'count' then return count_kilobytes('count') end
  return 0
end

function base.loadstring(text, name)
  text = tostring(text)
  name = name or text
  -- Byte code can break the interpreter, so only text is compiled.
  if text:byte() == 27 then
    return nil, "[string \"?\"]:1: unexpected symbol near 'char(27)'"
  end
  return load_text(text, name)
end

function base.load(reader, name)
  local pieces = {}
  while true do
    local piece = reader()
    if piece == nil or piece == '' then break end
    pieces[#pieces + 1] = piece
  end
  return base.loadstring(concat(pieces), name or '=(load)')
end

local string_real = {}
for key, value in next, string do string_real[key] = value end
function string_real.rep(text, n)
  -- Repeating nothing would count to `n` where no hook can interrupt it.
  if text == '' then return '' end
  if type(text) ~= 'string' and type(text) ~= 'number' then
    local got = text == nil and 'no value' or type(text)
    error("bad argument #1 to 'rep' (string expected, got " .. got .. ')', 2)
  end
  return repeated(text, n)
end
string_real.gfind = nil
for name, f in next, native.patterns do string_real[name] = f end
local string_proxy = protect(string_real)
base.string = string_proxy
local string_meta = get_meta('')
string_meta.__index = string_real
string_meta.__metatable = protect({ __index = string_proxy })

local math_real = {}
for key, value in next, math do math_real[key] = value end
math_real.random, math_real.randomseed = native.random, native.randomseed
base.math = protect(math_real)

base.table = protect(table)
base.coroutine = protect({
  create = create,
  resume = function(co, ...) return settle(resume(co, ...)) end,
  running = coroutine.running,
  status = coroutine.status,
  yield = coroutine.yield,
  wrap = function(f)
    local co = create(f)
    return function(...) return settle_wrap(resume(co, ...)) end
  end,
})
base.os = protect({ clock = native.clock })
for _, name in next, { 'redis', 'cjson', 'cmsgpack', 'bit', 'struct' } do
  if native[name] then base[name] = protect(native[name]) end
end

local globals = protect(base)
base._G = globals
set_meta(base, {
  __index = function(_, name)
    error("Script attempted to access nonexistent global variable '" .. tostring(name) .. "'", 2)
  end,
})

-- `table.insert` writes past `__newindex`; what it wrote must not reach the next script.
local function sweep(...)
  for i = 1, #proxies do
    local key = next(proxies[i])
    while key ~= nil do
      raw_set(proxies[i], key, nil)
      key = next(proxies[i])
    end
  end
  return ...
end

local failed = native.failed
local function run(script)
  return sweep(raw_xpcall(script, failed))
end

return globals, base, run
