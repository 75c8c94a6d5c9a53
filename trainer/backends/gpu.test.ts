// In a file of its own: a process holds one TensorFlow, the one for cards or the one for the processor.

import { backendConformance } from './backend.conformance.ts'
import { gpuOpener } from './tensorflow.ts'

// Products in full 32-bit precision, which the comparisons need; must be set before CUDA is loaded.
process.env.NVIDIA_TF32_OVERRIDE = '0'

backendConformance(gpuOpener, await gpuOpener.absent?.())
