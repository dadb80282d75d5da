package sim

// Version of the program.
const Version = "0.1.0"
