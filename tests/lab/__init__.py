"""The lab: real and scripted mail servers on loopback, with a PKI made at run time."""
