"""Settings: where they come from, and that a wrong one is named and harms nobody."""

from __future__ import annotations

import os
import unittest
from typing import Any, ClassVar

import twostep
from tests.jobs import JobTest
from twostep.settings import SettingError, read_settings


class Stubborn:
    def __str__(self) -> str:
        raise RuntimeError("no text")


class SettingsTest(JobTest):
    wrong: ClassVar[dict[str, tuple[Any, ...]]] = {
        "budget_steps": (19, 0, -1, 1.5, "100", True, 10**13),
        "first_step": (-1, 0.5, "1"),
        "warmup_steps": (-1, "none"),
        "run_id": ("", "a b", "ä", "x" * 129, "..", "a/b", "-a", "import", 7),
        "steering": ("manual", 3),
        "mode": ("on", 3, ["online"]),
        "server_url": (
            "localhost:7317",
            "ftp://host",
            "http://",
            "http://host:99999",
            "http://a b",
            "http://[::1",
        ),
        "token": ("two words", "line\nbreak", "ä", 5),
        "project": ("x" * 129, 5),
        "name": ("", "x" * 129, 5),
        "tags": ("one", 5, [""], [3], ["x"] * 33),
        "config": ("text", 5, [1], {3: 1}, {"": 1}, {"k" * 65: 1}, {str(i): i for i in range(101)}),
        "spool_dir": (5,),
    }

    def test_each_wrong_setting_is_named_in_a_sentence(self) -> None:
        for name, values in self.wrong.items():
            for value in values:
                with self.subTest(name=name, value=value), self.assertRaises(SettingError) as caught:
                    read_settings({}, **{name: value})
                self.assertIn(name, str(caught.exception))

    def test_init_never_raises_and_the_run_it_answers_does_nothing(self) -> None:
        for name, values in self.wrong.items():
            for value in values:
                run = twostep.init(**{"mode": "disabled", name: value})
                run.step(1.0)
                run.finish()
        self.assertIn("budget_steps must be a whole number from 20 to 10^12, got 19", self.said())
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_token_is_not_logged_where_it_is_wrong(self) -> None:
        twostep.init(token="secret word")
        self.assertNotIn("secret", self.said())

    def test_arguments_win_over_the_environment_and_that_over_defaults(self) -> None:
        environment = {
            "TWOSTEP_SERVER_URL": "https://train.example/",
            "TWOSTEP_TOKEN": "t",
            "TWOSTEP_RUN_ID": "r-1",
            "TWOSTEP_PROJECT": "p",
            "TWOSTEP_MODE": "offline",
            "TWOSTEP_SPOOL_DIR": "/spool",
        }
        read = read_settings(environment)
        self.assertEqual((read.server_url, read.token, read.run_id), ("https://train.example", "t", "r-1"))
        self.assertEqual((read.project, read.mode, str(read.spool)), ("p", "offline", "/spool"))
        self.assertTrue(read.resume)
        self.assertEqual(read_settings(environment, project="q", mode="online").project, "q")
        under_path = read_settings(environment, server_url="https://ml.example/twostep/")
        self.assertEqual(under_path.server_url, "https://ml.example/twostep")
        default = read_settings({"TWOSTEP_MODE": ""})
        self.assertEqual(
            (default.server_url, default.mode, default.steering), ("http://127.0.0.1:7317", "online", "auto")
        )
        self.assertFalse(default.resume)

    def test_no_secret_is_shown(self) -> None:
        self.assertNotIn("tw_x", repr(read_settings({"TWOSTEP_TOKEN": "tw_x"})))
        for url in ("http://me:hunter2@train.example", "ftp://me:hunter2@x", "http://me:hun/ter2@x"):
            with self.assertRaises(SettingError) as raised:
                read_settings({}, server_url=url)
            self.assertNotIn("ter2", str(raised.exception))
        with self.assertRaises(SettingError) as raised:
            read_settings({}, token="tw_x y")
        self.assertNotIn("tw_x", str(raised.exception))

    @unittest.skipUnless(hasattr(os, "getuid"), "users")
    def test_the_spool_of_each_user_is_another_one(self) -> None:
        self.assertEqual(read_settings({}).spool.name, f"twostep-spool-{os.getuid()}")

    def test_two_runs_that_nobody_names_have_two_names(self) -> None:
        self.assertNotEqual(read_settings({}).run_id, read_settings({}).run_id)

    def test_config_becomes_what_json_can_hold(self) -> None:
        given = {
            "a": 1,
            "b": float("nan"),
            "c": 2**80,
            "d": [1],
            "e": None,
            "f": True,
            "g": "x" * 2000,
            "h": Stubborn(),
        }
        config = dict(read_settings({}, config=given).config)
        self.assertEqual([config[key] for key in "abdefh"], [1, "nan", "[1]", None, True, "Stubborn"])
        self.assertEqual((config["c"], len(str(config["g"]))), (str(2**80), 1000))


if __name__ == "__main__":
    import unittest

    unittest.main()
