#!/usr/bin/env node
// The command line. Each verb loads its own code when it is called, so that `--help` and `serve` start fast.
// Exit status: 0 done, 1 failed, 2 wrong usage.

import { Command, CommanderError } from 'commander'
import { runSorts, runStates, webhookEvents, webhookShapes } from '../../protocol/lists.ts'
import { type Config, loadConfig, type Settings, settingNames } from '../config.ts'
import { onLines } from '../controls.ts'
import { CommandError } from '../errors.ts'
import { packageVersion } from './place.ts'
import { readEnvironmentServer } from './remote.ts'

type ServerFlags = Settings & { readonly json?: boolean }

const configOf = (flags: ServerFlags): Config => {
  const settings = Object.fromEntries(
    settingNames.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]])),
  )
  return loadConfig(settings, process.env, process.cwd())
}

const exitWith = (status: number) => {
  process.exitCode = status
}

function withDataOptions(command: Command): Command {
  return command
    .option('--data-dir <folder>', 'where the data are kept (TWOSTEP_DATA_DIR; default .twostep)')
    .option(
      '--storage-url <url>',
      'sqlite:///file or postgresql://user:password@host/database (better: TWOSTEP_STORAGE_URL, which no process list shows)',
    )
}

function withServerOptions(command: Command): Command {
  return withDataOptions(command)
    .option('--host <address>', 'address to listen on (TWOSTEP_HOST; default 127.0.0.1)')
    .option(
      '--trust-network <0|1>',
      '1 = no tokens are demanded on another address: everyone who reaches it may read and steer all runs (TWOSTEP_TRUST_NETWORK)',
    )
    .option('--require-tokens <0|1>', '1 = tokens are demanded on loopback, too (TWOSTEP_REQUIRE_TOKENS)')
    .option('--port <number>', 'port, 0 = any free one (TWOSTEP_PORT; default 7317)')
    .option(
      '--base-path <path>',
      'path of its host under which a proxy passes requests on unchanged, such as /twostep (TWOSTEP_BASE_PATH)',
    )
    .option(
      '--trust-proxy <addresses>',
      'proxies that are believed what they forward, as addresses or networks; tokens are demanded then (TWOSTEP_TRUST_PROXY)',
    )
    .option('--allowed-hosts <names>', 'further Host names, comma-separated (TWOSTEP_ALLOWED_HOSTS)')
    .option('--allowed-origins <origins>', 'further origins, comma-separated (TWOSTEP_ALLOWED_ORIGINS)')
    .option(
      '--embed-origins <origins>',
      'origins whose pages may show a run in a frame, comma-separated (TWOSTEP_EMBED_ORIGINS)',
    )
    .option(
      '--replica-address <url>',
      'where other servers on the same PostgreSQL reach this one, as http://host:port (TWOSTEP_REPLICA_ADDRESS)',
    )
    .option(
      '--drain-seconds <number>',
      'seconds to go on answering after SIGTERM, while /readyz says 503 (TWOSTEP_DRAIN_SECONDS; default 0)',
    )
    .option('--retention-days <days>', 'ended runs older than this are deleted (TWOSTEP_RETENTION_DAYS)')
    .option(
      '--storage-max-bytes <bytes>',
      'beyond this the oldest ended runs are deleted (TWOSTEP_STORAGE_MAX_BYTES)',
    )
    .option(
      '--webhook-allow <receivers>',
      'hosts, addresses and networks within, to which webhooks may lead, comma-separated (TWOSTEP_WEBHOOK_ALLOW)',
    )
    .option('--public-url <url>', 'where people reach the page, for links in webhooks (TWOSTEP_PUBLIC_URL)')
    .option('--log-level <level>', 'debug, info, warn, error or silent (TWOSTEP_LOG_LEVEL; default warn)')
}

function withReadOptions(command: Command): Command {
  const server = readEnvironmentServer(process.env)
  return command
    .option('--server <url>', 'address of the server (TWOSTEP_SERVER_URL)', server)
    .option(
      '--token <secret>',
      'where the server demands one (better: TWOSTEP_TOKEN, which no process list shows)',
    )
    .option('--json', "print the server's JSON")
}

function addServerVerbs(program: Command): void {
  withServerOptions(program.command('serve'))
    .description('start the server and its page')
    .option('--json', 'print the address as one line of JSON')
    .action(async (flags: ServerFlags) => {
      const { serve } = await import('./serve.ts')
      await serve(configOf(flags), { json: flags.json === true })
    })
  withServerOptions(program.command('demo'))
    .description('start the server and a real training run that it steers')
    .option('--task <name>', 'what to train on: mnist, fashion, digits or text')
    .option('--model <name>', 'mlp or cnn')
    .option('--steps <number>', 'budget of the run, in steps')
    .option('--seed <number>', 'seed of the run')
    .option('--exit', 'stop at the end instead of serving on')
    .option('--json', 'print the summary as one last line of JSON')
    .action(
      async (
        flags: ServerFlags &
          Record<'task' | 'model' | 'steps' | 'seed', string | undefined> & { exit?: boolean },
      ) => {
        const trainer = (['task', 'model', 'steps', 'seed'] as const).flatMap((name) => {
          const value = flags[name]
          return value === undefined ? [] : [`--${name}`, value]
        })
        const { demo } = await import('./demo.ts')
        const options = { exit: flags.exit === true, json: flags.json === true, trainer }
        exitWith(await demo(configOf(flags), options))
      },
    )
  program
    .command('train')
    .description(
      'train with the built-in trainer against any server (its own options: `twostep train --help`)',
    )
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .argument('[options...]')
    .action(async (options: string[]) => {
      const { train } = await import('./trainerProcess.ts')
      exitWith(await train(options))
    })
}

function addSetupVerb(program: Command): void {
  program
    .command('setup-tensorflow')
    .description('bring native TensorFlow for the trainer (Linux on x64); says what it downloads first')
    .option('--cpu', 'for the processor')
    .option('--gpu', 'for NVIDIA cards')
    .action(async ({ cpu, gpu }: { cpu?: boolean; gpu?: boolean }) => {
      const { setUpTensorflow } = await import('./trainerProcess.ts')
      exitWith(await setUpTensorflow([...(cpu ? ['--cpu'] : []), ...(gpu ? ['--gpu'] : [])]))
    })
}

function addReadVerbs(program: Command): void {
  const list = program.command('list').description('list runs, decisions or what was done')
  withReadOptions(list.command('runs'))
    .description('runs, newest first')
    .option('--project <name>')
    .option('--tag <tag>')
    .option('--state <state>', runStates.join(', '))
    .option('--search <words>', 'words in name, id, project, tags, framework, optimizer or settings (lr=0.1)')
    .option('--sort <key>', `${runSorts.join(', ')} (default created)`)
    .option('--order <order>', 'desc (default) or asc')
    .option('--after <next>', 'goes on after a page')
    .option('--limit <number>', 'default 50')
    .action(async (flags) => (await import('./read.ts')).listRuns(flags))
  withReadOptions(list.command('decisions'))
    .description('decisions of a run, in order')
    .argument('<run>')
    .option('--kind <kinds>', 'kinds, comma-separated')
    .option('--after <number>')
    .option('--limit <number>')
    .action(async (run: string, flags) => (await import('./read.ts')).listDecisions(run, flags))
  withReadOptions(list.command('audit'))
    .description('who did what to runs and tokens, newest first; for an admin')
    .option('--run <run>')
    .option('--before <number>')
    .option('--limit <number>', 'default 100')
    .action(async (flags) => (await import('./read.ts')).listAudit(flags))
  const get = program.command('get').description('read a run, its series or its schedule')
  withReadOptions(get.command('run'))
    .argument('<run>')
    .action(async (run: string, flags) => (await import('./read.ts')).getRun(run, flags))
  withReadOptions(get.command('series'))
    .argument('<run>')
    .option('--signals <names>', 'comma-separated; default all')
    .option('--from <step>')
    .option('--to <step>')
    .option('--points <number>')
    .action(async (run: string, flags) => (await import('./read.ts')).getSeries(run, flags))
  withReadOptions(get.command('schedule'))
    .argument('<run>')
    .option(
      '--format <format>',
      'json, csv, or a Python file to import: pytorch, keras, optax or transformers',
      'json',
    )
    .action(async (run: string, flags) => (await import('./read.ts')).getSchedule(run, flags))
}

function addTransferVerbs(program: Command): void {
  withReadOptions(program.command('export'))
    .description('write the log of a run to a file, from which `import` makes the same run')
    .argument('<run>')
    .argument('[file]', 'default <run>.twostep.ndjson; a name that ends with .gz is compressed; - = stdout')
    .action(async (run: string, file: string | undefined, flags) =>
      (await import('./transfer.ts')).exportRun(run, file, flags),
    )
  withReadOptions(program.command('import'))
    .description('make a run of an exported log')
    .argument('<file>', 'as `export` wrote it, compressed if its name ends with .gz; - = stdin')
    .option('--run-id <id>', 'another id than the one in the file')
    .action(async (file: string, flags) => (await import('./transfer.ts')).importRun(file, flags))
}

function addTokenVerbs(program: Command): void {
  const token = program.command('token').description('tokens, for a server that demands them')
  withDataOptions(withReadOptions(token.command('create')))
    .description('make a token; it is shown this once')
    .argument('<name>', 'whose it is, as records will name it')
    .requiredOption('--scope <scopes>', 'what it allows, comma-separated: read, write, control, admin')
    .option('--project <name>', 'the only project whose runs it reaches')
    .option('--expires <when>', 'days such as 30d, or a date such as 2030-01-31')
    .option('--offline', 'write to the data themselves, while no server uses them')
    .action(async (name: string, flags) => {
      const { createToken } = await import('./token.ts')
      await createToken(name, flags, () => configOf(flags))
    })
  withReadOptions(token.command('list'))
    .description('tokens, newest first')
    .action(async (flags) => (await import('./token.ts')).listTokens(flags))
  withReadOptions(token.command('revoke'))
    .description('revoke a token, at once')
    .argument('<token>', 'its name or id')
    .action(async (named: string, flags) => (await import('./token.ts')).revokeToken(named, flags))
  withReadOptions(token.command('rotate'))
    .description('a new secret for the same rights')
    .argument('<token>', 'its name or id')
    .option('--grace <seconds>', 'for so long the old secret holds, too (default 0)')
    .action(async (named: string, flags) => (await import('./token.ts')).rotateToken(named, flags))
}

function addWebhookVerbs(program: Command): void {
  const webhook = program.command('webhook').description('addresses that hear of runs')
  withReadOptions(webhook.command('list'))
    .description('webhooks, the oldest first')
    .action(async (flags) => (await import('./webhook.ts')).listWebhooks(flags))
  withReadOptions(webhook.command('add'))
    .description('make a webhook; the secret that signs its messages is shown this once')
    .argument('<url>', 'where messages go, such as https://hooks.example.org/twostep')
    .requiredOption('--events <events>', `what it hears of, comma-separated: ${webhookEvents.join(', ')}`)
    .option('--project <name>', 'the only project whose runs it hears of')
    .option('--shape <shape>', `one of ${webhookShapes.join(', ')} (default generic)`)
    .action(async (url: string, flags) => (await import('./webhook.ts')).addWebhook(url, flags))
  withReadOptions(webhook.command('remove'))
    .description('delete a webhook, with what it is still owed')
    .argument('<webhook>', 'its id or its whole address')
    .action(async (named: string, flags) => (await import('./webhook.ts')).removeWebhook(named, flags))
  withReadOptions(webhook.command('test'))
    .description('send a test now; exit status 1 if it is not taken')
    .argument('<webhook>', 'its id or its whole address')
    .action(async (named: string, flags) => {
      exitWith(await (await import('./webhook.ts')).testWebhook(named, flags))
    })
}

function addBackupVerbs(program: Command): void {
  withDataOptions(program.command('backup'))
    .description('copy all runs into one file, while a server writes, and read it again')
    .argument('<file>')
    .action(async (file: string, flags: ServerFlags) => {
      const { backup } = await import('./backup.ts')
      process.stdout.write(`${await backup(configOf(flags), file)}\n`)
    })
  withDataOptions(program.command('restore'))
    .description('put a backup in the place of the database, which is kept beside it; stop the server first')
    .argument('<file>')
    .action(async (file: string, flags: ServerFlags) => {
      const [{ restore }, { realClock, isoTime }] = await Promise.all([
        import('./backup.ts'),
        import('../clock.ts'),
      ])
      const stamp = isoTime(realClock.now()).replaceAll(/[:.]/g, '-')
      process.stdout.write(`${await restore(configOf(flags), file, stamp)}\n`)
    })
}

function addCheckVerbs(program: Command): void {
  withDataOptions(program.command('replay'))
    .description('fold the stored log of a run anew and compare the decisions byte for byte')
    .argument('<run>')
    .option('--json', 'print the result as JSON')
    .action(async (run: string, flags: ServerFlags) => {
      const { replay } = await import('./replay.ts')
      exitWith(await replay(configOf(flags), run, { json: flags.json === true }))
    })
  withServerOptions(program.command('doctor'))
    .description('check what this computer has of what is needed')
    .option('--json', 'print the checks as JSON')
    .action(async (flags: ServerFlags) => {
      const { doctor } = await import('./doctor.ts')
      exitWith(await doctor(configOf(flags), { json: flags.json === true }))
    })
}

/** Runs one command line; sets the exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('twostep')
    .description('Learning-rate autopilot: finds the large step, switches on evidence, says why.')
    .version(packageVersion())
    .enablePositionalOptions()
    .exitOverride()
  addServerVerbs(program)
  addReadVerbs(program)
  addTransferVerbs(program)
  addTokenVerbs(program)
  addWebhookVerbs(program)
  addCheckVerbs(program)
  addBackupVerbs(program)
  addSetupVerb(program)
  // A reader that has seen enough (`| head`) ends the command, and is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    // Commander has printed its own sentence; help and version end with 0.
    if (error instanceof CommanderError) exitWith(error.exitCode === 0 ? 0 : 2)
    else if (error instanceof CommandError) {
      process.stderr.write(`twostep: ${onLines(error.message)}\n`)
      exitWith(error.exitStatus)
    } else throw error
  }
}

await main(process.argv.slice(2))
