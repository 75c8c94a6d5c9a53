// `node dist/trainer/backends/report.js`: the report as one line of JSON, for `twostep doctor`. It is a process of
// its own because a library that ends the process must not end the program that asks.

import { backendReport } from './backendReport.ts'

process.stdout.write(`${JSON.stringify(await backendReport())}\n`)
