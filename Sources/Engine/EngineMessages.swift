// What goes over the socket between an engine and a screen.

import Messages
import Transport

/// What a screen, or a command such as `skipline pause`, says to an engine: it asks for work only, what is browsed is
/// read where it is shown.
public typealias ClientMessage = Request<WorkCommand>

/// What an engine says to whoever is attached to it. After the welcome everything that happened so far follows as
/// events, then what happens from now on.
public typealias ServerMessage = Reply<Event>
