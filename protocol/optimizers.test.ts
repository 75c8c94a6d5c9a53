import { describe, expect, it } from 'vitest'
import { familyOf } from './optimizers.ts'

describe('the family of an optimizer', () => {
  it.each([
    ['sgd', 'sgd'],
    ['SGD', 'sgd'],
    ['momentum', 'sgd'],
    ['Nesterov', 'sgd'],
    ['LARS', 'sgd'],
    ['heavy-ball', 'sgd'],
    ['adam', 'adam'],
    ['AdamW', 'adam'],
    ['NAdam', 'adam'],
    ['LAMB', 'adam'],
    ['Lion', 'adam'],
    ['Adafactor', 'adam'],
    ['adagrad', 'adam'],
    ['RMSprop', 'adam'],
    ['SophiaG', 'adam'],
    ['distributed_shampoo', 'adam'],
    ['SOAP', 'adam'],
    ['Prodigy', 'adam'],
    ['Muon', 'muon'],
    ['L-BFGS', 'other'],
    ['unknown', 'other'],
    ['', 'other'],
  ])('of "%s" is %s', (name, family) => {
    expect(familyOf(name)).toBe(family)
  })

  it('is muon where another one is named beside it, and adam where Adam is said to have momentum', () => {
    expect(familyOf('Muon + AdamW')).toBe('muon')
    expect(familyOf('Adam with Nesterov momentum')).toBe('adam')
  })
})
