"""The Expression Logical Model and its evaluator (https://cql.hl7.org/04-logicalspecification.html)."""
