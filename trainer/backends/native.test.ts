import { backendConformance } from './backend.conformance.ts'
import { nativeOpener } from './tensorflow.ts'

backendConformance(nativeOpener, await nativeOpener.absent?.())
