// Loads every service as Node's usual loader does, and says whether protobufjs reads of it what buf does: its methods, their types,
// and the options of both. node load.cjs MODULES FOLDER-OF-PROTOS DESCRIPTORS.json
"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const { createRequire } = require("node:module");
const [modules, folder, descriptors] = process.argv.slice(2);
const from = createRequire(`${modules}/`);
const protobuf = from("protobufjs");
const loader = from("@grpc/proto-loader");

const files = JSON.parse(fs.readFileSync(descriptors, "utf8")).file.filter((file) => !file.name.startsWith("google/protobuf/"));
let services = 0;
let methods = 0;
for (const file of files) {
  const loaded = loader.loadSync(file.name, { includeDirs: [folder] });
  for (const service of file.service ?? []) {
    const full = `${file.package}.${service.name}`;
    assert.deepStrictEqual(Object.keys(loaded[full] ?? {}), service.method.map((method) => method.name), full);
    services += 1;
  }
}

// Which protobufjs brings, but does not know of by itself.
protobuf.common("descriptor", from("protobufjs/google/protobuf/descriptor.json").nested.google.nested.protobuf.nested);
const root = new protobuf.Root();
root.resolvePath = (_, name) => (fs.existsSync(`${folder}/${name}`) ? `${folder}/${name}` : name);
root.loadSync(files.map((file) => file.name));
root.resolveAll();

// Of one kind, whoever wrote it: protobufjs keeps a list of one as its item, and a duration as what it is made of.
const plain = (value) => {
  if (Array.isArray(value)) return value.length === 1 ? plain(value[0]) : value.map(plain);
  if (value === null || typeof value !== "object") return value;
  const names = Object.keys(value).sort();
  if (names.every((name) => ["seconds", "nanos"].includes(name))) return `${value.seconds ?? 0}.${value.nanos ?? 0}`;
  return Object.fromEntries(names.map((name) => [name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()), plain(value[name])]));
};
const duration = /^(\d+)(?:\.(\d+))?s$/;
const said = (options) => {
  const read = JSON.parse(JSON.stringify(options ?? {}), (_, value) => {
    const parts = typeof value === "string" && duration.exec(value);
    return parts ? { seconds: Number(parts[1]), nanos: Number((parts[2] ?? "").padEnd(9, "0")) } : value;
  });
  return Object.fromEntries(Object.entries(read).map(([name, value]) => [name.slice(1, -1), plain(value)]));
};
const parsed = (of) => {
  const all = {};
  for (const option of of.parsedOptions ?? []) {
    for (const [name, value] of Object.entries(option)) if (name.startsWith("(")) all[name.slice(1, -1)] = plain(value);
  }
  return all;
};
for (const file of files) {
  for (const service of file.service ?? []) {
    const read = root.lookupService(`${file.package}.${service.name}`);
    assert.deepStrictEqual(parsed(read), said(service.options), read.fullName);
    for (const method of service.method) {
      const of = read.methods[method.name];
      assert.deepStrictEqual([of.resolvedRequestType.fullName, of.resolvedResponseType.fullName], [method.inputType, method.outputType]);
      assert.deepStrictEqual([!!of.requestStream, !!of.responseStream], [!!method.clientStreaming, !!method.serverStreaming]);
      assert.deepStrictEqual(parsed(of), said(method.options), of.fullName);
      methods += 1;
    }
  }
}
console.log(`${services} services, ${methods} methods`);
