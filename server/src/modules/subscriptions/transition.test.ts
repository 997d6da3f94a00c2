import { subscriptionStatuses, transitionTriggers } from '@turnpike/contract'
import { describe, expect, test } from 'vitest'
import { isTerminal } from './subscription.ts'
import {
  commandAllowed,
  reportedStates,
  type StatusBefore,
  statusesBefore,
  subscriptionCommands,
  transitionOf,
} from './transition.ts'

const reportedPairs = statusesBefore.flatMap((before) => reportedStates.map((reported) => ({ before, reported })))
const commandPairs = statusesBefore.flatMap((before) => subscriptionCommands.map((command) => ({ before, command })))

describe('every pair of status and trigger is decided (SUB-1)', () => {
  test('81 reports and 108 commands, each by an entry of its own', () => {
    expect(reportedPairs).toHaveLength(9 * 9)
    expect(commandPairs).toHaveLength(9 * 12)
    for (const { before, reported } of reportedPairs)
      expect(transitionOf(before, reported), `${before} × ${reported}`).toMatchObject({ kind: expect.any(String) })
    for (const { before, command } of commandPairs)
      expect(commandAllowed(before, command), `${before} × ${command}`).toMatchObject({ kind: expect.any(String) })
  })

  test('a report ends in the status reported, or is dropped', () => {
    for (const { before, reported } of reportedPairs) {
      const decision = transitionOf(before, reported)
      if (decision.kind === 'stale') continue
      if (decision.kind === 'same') expect([before, 'missing'], `${before} × ${reported}`).toContain(reported)
      else expect(decision.after, `${before} × ${reported}`).toBe(reported === 'missing' ? 'canceled' : reported)
    }
  })

  test('every trigger that an event may name is used, and no other', () => {
    const used = reportedPairs.flatMap(({ before, reported }) => {
      const decision = transitionOf(before, reported)
      return 'trigger' in decision ? [decision.trigger] : []
    })
    expect(new Set(used)).toEqual(new Set(transitionTriggers))
  })
})

describe('allowed steps', () => {
  // The steps that a provider takes at once; what needs several of them names those in between.
  const steps: [StatusBefore, StatusBefore][] = reportedPairs.flatMap(({ before, reported }) => {
    const decision = transitionOf(before, reported)
    return decision.kind === 'move' && decision.via.length === 0
      ? [[before, decision.after] as [StatusBefore, StatusBefore]]
      : []
  })
  const isStep = (from: StatusBefore, to: StatusBefore) => steps.some(([a, b]) => a === from && b === to)

  test.each(reportedPairs)('$before × $reported: steps unseen are allowed ones', ({ before, reported }) => {
    const decision = transitionOf(before, reported)
    if (decision.kind !== 'move') return
    const path = [before, ...decision.via, decision.after]
    for (const [index, to] of path.slice(1).entries()) expect(isStep(path[index]!, to), path.join(' → ')).toBe(true)
  })

  test('what is called unexpected is what no steps explain', () => {
    const reachable = (from: StatusBefore): Set<StatusBefore> => {
      const seen = new Set<StatusBefore>([from])
      for (const status of seen) for (const [a, b] of steps) if (a === status) seen.add(b)
      return seen
    }
    for (const { before, reported } of reportedPairs) {
      if (before === 'none' || reported === 'missing' || isTerminal(before)) continue
      expect(transitionOf(before, reported).kind === 'unexpected', `${before} × ${reported}`).toBe(
        !reachable(before).has(reported),
      )
    }
  })
})

describe('ends', () => {
  test('nothing leads out of an ended subscription, neither a report nor a command on it', () => {
    for (const before of subscriptionStatuses.filter(isTerminal)) {
      for (const reported of reportedStates)
        expect(transitionOf(before, reported).kind, `${before} × ${reported}`).toBe(
          reported === before || reported === 'missing' ? 'same' : 'stale',
        )
      for (const command of subscriptionCommands)
        expect(commandAllowed(before, command).kind, `${before} × ${command}`).toBe(
          command === 'start' || command === 'reactivate' ? 'begin' : 'refuse',
        )
    }
  })

  test('an end is announced as one, and only an end is', () => {
    for (const { before, reported } of reportedPairs) {
      const decision = transitionOf(before, reported)
      if (!('events' in decision)) continue
      expect(decision.events.includes('subscription.canceled'), `${before} × ${reported}`).toBe(
        isTerminal(decision.after),
      )
      expect(decision.events.includes('subscription.created'), `${before} × ${reported}`).toBe(before === 'none')
    }
  })
})

describe('commands', () => {
  test('what a command is expected to bring about is an allowed report', () => {
    for (const { before, command } of commandPairs) {
      const decision = commandAllowed(before, command)
      if (decision.kind === 'move')
        expect(transitionOf(before, decision.after).kind, `${before} × ${command}`).toBe('move')
      if (decision.kind === 'begin') expect(['none', 'incomplete_expired', 'canceled']).toContain(before)
    }
  })

  test.each<[StatusBefore, (typeof subscriptionCommands)[number][]]>([
    ['none', ['start']],
    ['incomplete', ['cancel_now']],
    [
      'trialing',
      [
        'change_plan',
        'change_quantity',
        'cancel_now',
        'cancel_at_period_end',
        'undo_cancellation',
        'undo_change',
        'end_trial',
      ],
    ],
    [
      'active',
      [
        'change_plan',
        'change_quantity',
        'cancel_now',
        'cancel_at_period_end',
        'undo_cancellation',
        'pause',
        'undo_change',
      ],
    ],
    ['past_due', ['cancel_now', 'cancel_at_period_end', 'undo_cancellation', 'undo_change', 'dunning_cancel']],
    ['unpaid', ['cancel_now', 'cancel_at_period_end', 'undo_cancellation', 'undo_change', 'dunning_cancel']],
    ['paused', ['cancel_now', 'undo_cancellation', 'resume', 'undo_change', 'dunning_cancel']],
    ['incomplete_expired', ['start', 'reactivate']],
    ['canceled', ['start', 'reactivate']],
  ])('in %s these are possible: %s', (status, possible) => {
    expect(subscriptionCommands.filter((command) => commandAllowed(status, command).kind !== 'refuse')).toEqual(
      possible,
    )
  })
})
