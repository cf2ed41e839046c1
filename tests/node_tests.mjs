/**
 * Runs test files in one process: `node --import ./tests/node_loader.mjs
 * ./tests/node_tests.mjs tests/…_test.ts`. `node --test` would start one for each
 * file, which takes longer than most tests.
 */
import process from "node:process";
import { pathToFileURL } from "node:url";

for (const file of process.argv.slice(2)) await import(pathToFileURL(file));
