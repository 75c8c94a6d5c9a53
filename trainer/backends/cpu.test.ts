import { backendConformance } from './backend.conformance.ts'
import { cpuOpener } from './cpu.ts'

backendConformance(cpuOpener)
