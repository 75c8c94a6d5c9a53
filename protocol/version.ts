// The version of the wire between a training job, the server and the page. A server and a client
// understand each other while the major parts agree; see PROTOCOL.md for what may change in a minor one.
export const protocolVersion = '1.1'
export const apiPrefix = '/api/v1'
