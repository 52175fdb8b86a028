#!/usr/bin/env node
import { endWith, main } from "./main.ts";

endWith(await main(process.argv.slice(2)));
