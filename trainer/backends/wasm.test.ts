import { backendConformance } from './backend.conformance.ts'
import { wasmOpener } from './wasm.ts'

backendConformance(wasmOpener)
