// @ts-types="@types/express"
import type express from "express";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const PACKAGES = new URL("../../../node_modules/.deno/", import.meta.url);

/**
 * Express 4, beside Express 5. `deno install` gives a second version of a
 * package no name, so it is found where it is stored.
 */
export const express4: typeof express = require(
  new URL(`${folder()}/node_modules/express`, PACKAGES).pathname,
);

function folder(): string {
  const found = readdirSync(PACKAGES).find((name) =>
    name.startsWith("express@4.")
  );
  if (found === undefined) {
    throw new Error("Express 4 is not installed. Run `deno install`.");
  }
  return found;
}
