#!/usr/bin/python3
"""validate_json.py SCHEMAS_FOLDER SCHEMA INSTANCE: exits 1 and says what is wrong when the instance is not valid.
The schemas refer to each other by their $id; nothing is fetched."""
import json
import pathlib
import sys

import jsonschema

folder, name, instance = pathlib.Path(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
schemas = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
schema = json.loads((folder / name).read_text(encoding="utf-8"))
validator_class = jsonschema.validators.validator_for(schema)
for one in schemas:
    validator_class.check_schema(one)
resolver = jsonschema.RefResolver.from_schema(schema, store={one["$id"]: one for one in schemas})
validator = validator_class(schema, resolver=resolver)
errors = list(validator.iter_errors(json.loads(instance.read_text(encoding="utf-8"))))
for error in errors:
    print("#/" + "/".join(str(part) for part in error.absolute_path) + ": " + error.message[:300])
sys.exit(1 if errors else 0)
