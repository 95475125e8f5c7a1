// Reads AsyncAPI documents by the official parser, which may have nothing to say of them: no error, no warning, no hint.
// node asyncapi.cjs MODULES DOCUMENT…
"use strict";
const fs = require("node:fs");
const { createRequire } = require("node:module");
const [modules, ...files] = process.argv.slice(2);
const { Parser } = createRequire(`${modules}/`)("@asyncapi/parser");

const main = async () => {
  const parser = new Parser();
  for (const file of files) {
    const { document, diagnostics } = await parser.parse(fs.readFileSync(file, "utf8"), { source: file });
    for (const { severity, code, message, path } of diagnostics) {
      console.error(`${file}: ${["error", "warning", "information", "hint"][severity]} ${code}: ${message} at ${path.join(".")}`);
    }
    if (!document || diagnostics.length > 0) {
      process.exitCode = 1;
      return;
    }
    const [channels, operations, messages] = [document.allChannels(), document.allOperations(), document.allMessages()];
    console.log(`${document.version()}: ${channels.length} channels, ${operations.length} operations, ${messages.length} messages`);
  }
};

main();
