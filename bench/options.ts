// What the benches read from their command lines: an option is a name and the argument that follows it.

/** The option's value, or `otherwise` where it is not given. */
export function optionOf(args: readonly string[], name: string, otherwise: string): string {
  const at = args.indexOf(name)
  return at < 0 ? otherwise : (args[at + 1] ?? otherwise)
}

/** The values of an option that is a list with commas; undefined = not given. */
export function listOption(args: readonly string[], name: string): string[] | undefined {
  return args.includes(name)
    ? optionOf(args, name, '')
        .split(',')
        .filter((part) => part !== '')
    : undefined
}
