// Where the server is on its host: a server under a path writes it into the page. Every address of the page, of its API
// and of its socket begins with it.

const written =
  typeof document === 'undefined' ? null : document.querySelector<HTMLMetaElement>('meta[name=base-path]')

/** Such as `/twostep`; empty = the server has its host for itself. */
export const basePath: string = written?.content ?? ''

/** The whole address of the server, as jobs are told. */
export const serverUrl = (): string => location.origin + basePath
